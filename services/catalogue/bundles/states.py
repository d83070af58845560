"""A bundle as it stands with its items: for residents to read, and for other services to keep."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.catalogue import BundlePublished, BundleRetired, BundleState
from services.catalogue.bundles import rules
from services.catalogue.bundles.content import BundleContent
from services.catalogue.bundles.rules import ItemFacts, MergedMaterial
from services.catalogue.models import Status


def sameness(content: BundleContent) -> dict[tuple[UUID, str], tuple[str, str]]:
    """Which of the items' materials the bundle declares to be one."""
    return {
        (each.item_id, each.material_code): (same.code, same.name)
        for same in content.same_materials
        for each in same.members
    }


def members(content: BundleContent, items: Mapping[UUID, ItemFacts]) -> list[ItemFacts]:
    """The items that are still offered, in the bundle's order; a retired one has dropped out."""
    return [items[each.item_id] for each in content.items if each.item_id in items]


def merged(
    content: BundleContent, items: Mapping[UUID, ItemFacts], only: set[UUID] | None = None
) -> list[MergedMaterial]:
    """The merged material list of all items, or of some."""
    chosen = [each for each in members(content, items) if only is None or each.item_id in only]
    return rules.merge_materials(chosen, sameness(content))


def event_of(bundle: Any, items: Mapping[UUID, ItemFacts], at: datetime) -> BundleState:
    """The event that tells how a bundle stands since a time."""
    content = BundleContent.model_validate(bundle.content)
    offered = members(content, items)
    stages = {each.item_id: each.stage for each in content.items}
    there = {each.item_id for each in offered}
    plain = content.model_dump(mode="json", include={"questions", "rules"})
    state = {
        "bundle_id": bundle.id,
        "bundle_code": bundle.bundle_code,
        "version": bundle.current_version,
        "name": content.name,
        "summary": content.summary,
        "division_code": bundle.division_code,
        "theme": content.theme,
        "channels": content.channels,
        "items": [
            {
                "item_id": each.item_id,
                "item_code": each.item_code,
                "name": each.name,
                "stage": stages[each.item_id],
            }
            for each in offered
        ],
        "materials": [
            {
                "code": each.code,
                "name": each.name,
                "necessity": each.necessity,
                "needed_by": [
                    {"item_id": item_id, "material_code": code} for item_id, code in each.needed_by
                ],
            }
            for each in merged(content, items)
        ],
        "questions": plain["questions"],
        "rules": [rule for rule in plain["rules"] if UUID(rule["item_id"]) in there],
        "shared_fields": rules.shared_fields(each.form for each in offered),
        "provisional": content.provisional,
        "effective_on": bundle.effective_on,
        "revision": bundle.revision,
        "recorded_at": at,
    }
    if Status(bundle.status) is Status.retired:
        return BundleRetired.model_validate({**state, "reason": bundle.status_reason or ""})
    return BundlePublished.model_validate(state)
