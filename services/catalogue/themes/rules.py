"""The headings that the policies name, in their words and order."""

#: 民发〔2022〕56号 二: ten categories of supply.
SUPPLY_CATEGORIES = {
    "health": "卫生健康服务",
    "medical-insurance": "医疗保障服务",
    "employment-social-insurance": "就业和社会保险服务",
    "social-services": "社会服务",
    "culture-sport-education": "文化、体育和教育服务",
    "production": "生产服务",
    "daily-life": "生活服务",
    "environment": "人居环境服务",
    "police-legal": "警务和法律服务",
    "emergency-psychology": "应急和社会心理服务",
}
#: 民发〔2022〕56号: what the village itself does.
ITEM_KINDS = {
    "government-service": "依法协助办理政务服务",
    "village-public": "办好公共事务和公益事业",
    "personal-convenience": "积极引导农民自我服务",
}
#: 国办发〔2021〕56号: three functions.
FUNCTIONS = {"for-people": "为民", "convenience": "便民", "safety": "安民"}
