"""Refusals of admission."""

from servicekit.errors import Conflict, Forbidden, Invalid, NotFound


class AdmissionNotFound(NotFound):
    code, title = "admission-not-found", "没有找到这项准入"


class AdmissionRefused(Invalid):
    code, title = "admission-invalid", "准入申请有误，请按提示逐条修改"


class ForbiddenKind(Invalid):
    code, title = "forbidden-kind", "这类事务不能交给村级组织"


class StepRefused(Conflict):
    code, title = "admission-step-refused", "现在的状态不能这样操作"


class AlreadyInHand(Conflict):
    code, title = "admission-in-hand", "这个事项在本县已有准入或者正在申请"


class OwnProposal(Forbidden):
    code, title = "two-hands", "不能批准自己提出的申请，请由另一人审批"


class CapMissing(Conflict):
    code, title = "cap-missing", "请先确定本县这类事项的总量"


class CapReached(Conflict):
    code, title = "cap-reached", "本县这类事项的总量已满，请先退出一项"


class CapBelowUse(Conflict):
    code, title = "cap-below-use", "总量不能少于已经准入的数量"
