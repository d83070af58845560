"""What can be done to a case, as the API takes it: one body per action."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.requests import DeliveryWay, SpecialProcedure
from contracts.values import UnitCode
from services.requests.submissions.schemas import MaterialWithFiles

Note = Annotated[str, Field(max_length=500)]
Reason = Annotated[str, Field(min_length=4, max_length=500)]


class _ActionBody(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _AtCounter(_ActionBody):
    """What is done at a window says at which, so that its rating counts for it."""

    window_code: Annotated[str, Field(min_length=1, max_length=40)] | None = Field(
        default=None, description="在哪个窗口办的"
    )
    facility_id: UUID | None = Field(default=None, description="窗口所在的服务设施")

    def counter(self) -> dict[str, Any]:
        """The window and the facility, as events have them."""
        return {"window_code": self.window_code, "facility_id": self.facility_id}


class Dispatch(_ActionBody):
    """人工派单。"""

    unit_code: UnitCode
    note: Note | None = None


class RequestCorrection(_ActionBody):
    """补正告知：一次告知全部需要补正的内容，只有一次。"""

    missing: list[Annotated[str, Field(min_length=2, max_length=200)]] = Field(
        min_length=1, max_length=30
    )


class AnswerCorrection(_ActionBody):
    """补正。"""

    materials: list[MaterialWithFiles] = Field(default_factory=list, max_length=50)
    note: Note | None = None


class Deferred(_ActionBody):
    """容缺受理：允许后补的一份材料。"""

    material_code: Annotated[str, Field(max_length=60)]
    what: Annotated[str, Field(min_length=2, max_length=100, description="材料名称")]
    days: Annotated[int, Field(ge=1, le=60, description="几个工作日内补交")]


class Commitment(_ActionBody):
    """告知承诺：申请人承诺什么，几个工作日内核查。"""

    what: Annotated[str, Field(min_length=2, max_length=200)]
    check_days: Annotated[int, Field(ge=1, le=120)]


class Accept(_AtCounter):
    """受理：承诺办结时限从这一天的次日起计算；可以容缺，可以凭告知承诺。"""

    note: Note | None = None
    deferred: list[Deferred] = Field(default_factory=list, max_length=20)
    commitment: Commitment | None = None


class Refuse(_ActionBody):
    """不予受理：说明理由；不属于本机关职权的，必须告知应向哪个机关申请。"""

    ground: Literal["outside-competence", "not-required", "other"] = "outside-competence"
    reason: Annotated[str, Field(min_length=4, max_length=500)]
    right_organ: Annotated[str, Field(min_length=2, max_length=100)] | None = None

    @model_validator(mode="after")
    def _names_the_organ(self) -> Self:
        if self.ground == "outside-competence" and not self.right_organ:
            raise ValueError("不属于本机关职权的，请告知应向哪个机关申请")
        return self


class SendBack(_ActionBody):
    """退回派单：不归本单位办的，退回区域的待派清单。"""

    reason: Reason


class Claim(_ActionBody):
    """领取：从单位的清单中领到自己名下；第一个领取的人是首问负责人。"""


class HandOver(_ActionBody):
    """移交：交给同单位的另一个人；首问负责人不变。"""

    account_id: UUID
    note: Note | None = None


class PutBack(_ActionBody):
    """退回清单：放回单位的清单，等人领取。"""

    note: Note | None = None


class Review(_ActionBody):
    """审查意见；现场核查须有两名以上工作人员。"""

    opinion: Annotated[str, Field(min_length=2, max_length=500)]
    on_site: bool = False
    staff: list[Annotated[str, Field(min_length=2, max_length=30)]] = Field(
        default_factory=list, max_length=10
    )

    @model_validator(mode="after")
    def _two_on_site(self) -> Self:
        if self.on_site and len(set(self.staff)) < 2:  # 行政许可法 art. 34
            raise ValueError("现场核查须由两名以上工作人员进行")
        return self


class Pause(_ActionBody):
    """特别程序：所需时间不计入时限，书面告知申请人。"""

    procedure: SpecialProcedure
    reason: Reason
    expected_days: Annotated[int, Field(ge=1, le=365, description="预计需要几个工作日")]


class Resume(_ActionBody):
    """特别程序结束：时限接着剩余的天数继续计算。"""

    outcome: Annotated[str, Field(min_length=2, max_length=500)]


class Extend(_ActionBody):
    """延期：经负责人批准，只有一次，不超过十日（多个单位联合办理的不超过十五日）。"""

    days: Annotated[int, Field(ge=1, le=15)]
    reason: Reason


class HandUp(_ActionBody):
    """上交：村（社区）承担不了的，说明理由，交由乡镇（街道）办理或协调。"""

    reason: Reason


class Transfer(_ActionBody):
    """转报：转给另一个单位继续办理。"""

    unit_code: UnitCode
    reason: Reason


class TransferOut(_ActionBody):
    """转报办结：转报平台以外的机关，本平台办结。"""

    organ: Annotated[str, Field(min_length=2, max_length=100)]
    reason: Reason


class Consult(_ActionBody):
    """并联：请其他单位出具意见，都答复后由牵头单位作出一个决定。"""

    unit_codes: list[UnitCode] = Field(min_length=1, max_length=20)
    question: Reason


class GiveOpinion(_ActionBody):
    """会签意见。"""

    agrees: bool
    opinion: Annotated[str, Field(min_length=2, max_length=500)]


class HandIn(_ActionBody):
    """容缺后补：补交受理时允许后补的材料。"""

    materials: list[MaterialWithFiles] = Field(min_length=1, max_length=20)


class CheckCommitment(_ActionBody):
    """承诺核查：核实申请人的承诺是否属实。"""

    kept: bool
    note: Reason


class Decide(_ActionBody):
    """决定：由办理单位的承办人作出；并联的，由牵头单位综合各单位意见作出。"""

    granted: bool
    note: Note | None = None


class RecordPayment(_AtCounter):
    """缴费登记：登记票据号和金额；只限收费的事项，同一张票据只登记一次。登记后申请人可以评价缴费服务。"""

    receipt_number: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{4,40}$", description="票据号")]
    amount_cents: Annotated[int, Field(ge=1, le=10_000_000_000, description="金额，单位：分")]


class Complete(_AtCounter):
    """办结：随后申请人可以评价。result_code: 0 出证办结，1 退回办结，6 其他。"""

    result_code: Literal[0, 1, 6]
    note: Note | None = None


class Deliver(_ActionBody):
    """送达：决定书怎样送到申请人手里。"""

    way: DeliveryWay
    tracking_number: Annotated[str, Field(min_length=4, max_length=40)] | None = None


class Withdraw(_ActionBody):
    """撤回：申请人在决定之前可以撤回。"""

    note: Note | None = None


class Void(_ActionBody):
    """作废或删除：业务上无效的作废（2），录入错误的删除（3）；不产生评价。"""

    result_code: Literal[2, 3]
    reason: Reason


class Reopen(_ActionBody):
    """重办：督办人员把已经办结的办件交回重办，重新计算承诺时限。"""

    reason: Reason

    @property
    def rectification_id(self) -> UUID | None:
        """No rectification asked for it: a person did."""
        return None
