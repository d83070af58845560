"""Closed lists of values in the catalogue, and the words for them."""

from enum import StrEnum

from services.catalogue.models import Status


class SupplyCategory(StrEnum):
    """村级综合服务供给十类. Source: 民发〔2022〕56号 二."""

    health = "health"
    medical_insurance = "medical-insurance"
    employment_social_insurance = "employment-social-insurance"
    social_services = "social-services"
    culture_sport_education = "culture-sport-education"
    production = "production"
    daily_life = "daily-life"
    environment = "environment"
    police_legal = "police-legal"
    emergency_psychology = "emergency-psychology"


class ItemKind(StrEnum):
    """Who runs it: government, the village as a whole, or villagers for each other."""

    government_service = "government-service"
    village_public = "village-public"
    personal_convenience = "personal-convenience"


class ServiceObject(StrEnum):
    """服务对象 by name: the numbers differ between GB/T 39046 A.4 and platform practice."""

    natural_person = "natural-person"
    enterprise = "enterprise"
    public_institution = "public-institution"
    social_organisation = "social-organisation"
    unincorporated_enterprise = "unincorporated-enterprise"
    government_organ = "government-organ"
    other_organisation = "other-organisation"


class Audience(StrEnum):
    """Groups of residents an item is meant for."""

    children = "children"
    disabled = "disabled"
    elderly = "elderly"
    families = "families"
    farmers = "farmers"
    graduates = "graduates"
    job_seekers = "job-seekers"
    left_behind = "left-behind"
    low_income = "low-income"
    migrant_workers = "migrant-workers"
    patients = "patients"
    unemployed = "unemployed"
    veterans = "veterans"
    women = "women"


class ResultKind(StrEnum):
    """审批结果类型: 证照, 批文, 其他, 无."""

    certificate = "certificate"
    approval = "approval"
    other = "other"
    none = "none"


def status_text(status: Status, reason: str | None) -> str:
    """What a status means, in plain words."""
    match status:
        case Status.published:
            return "可以办理"
        case Status.paused:
            return f"暂停办理：{reason}" if reason else "暂停办理"
        case Status.retired:
            return f"已取消：{reason}" if reason else "已取消"
        case Status.draft:
            return "正在编写，尚未公布"
        case Status.in_review:
            return "正在审核，尚未公布"
