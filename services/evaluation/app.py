"""The API process of the evaluation service."""

from fastapi import FastAPI

from servicekit.app import create_service_app
from servicekit.auth import TokenVerifier
from services.evaluation.assessments.endpoints import router as assessments
from services.evaluation.assessments.service import SchemeOfOthers
from services.evaluation.codes.endpoints import router as rating_codes
from services.evaluation.demand.endpoints import router as demand
from services.evaluation.demand.service import WishMadeAlready
from services.evaluation.disputes.endpoints import router as disputes
from services.evaluation.disputes.service import DisputedAlready
from services.evaluation.evaluables.endpoints import router as evaluables
from services.evaluation.evaluables.service import RatingAlreadyGiven
from services.evaluation.integrity.endpoints import router as integrity
from services.evaluation.integrity.service import StaffNumberKnown
from services.evaluation.invitations.endpoints import router as invitations
from services.evaluation.items.endpoints import router as items
from services.evaluation.limits.endpoints import router as limits
from services.evaluation.ratings.endpoints import router as ratings
from services.evaluation.rectifications.endpoints import router as rectifications
from services.evaluation.scores.endpoints import router as scores
from services.evaluation.scores.publishing import PublishedAlready
from services.evaluation.scores.recounts import RecountUnderWay
from services.evaluation.settings import EvaluationSettings
from services.evaluation.surveys.endpoints import router as surveys
from services.evaluation.surveys.service import QuestionnaireOfOthers
from services.evaluation.tags.endpoints import router as rating_tags


def create_app(settings: EvaluationSettings, *, verifier: TokenVerifier | None = None) -> FastAPI:
    """Put the API together."""
    return create_service_app(
        "evaluation",
        settings,
        title="评价与整改",
        routers=[
            evaluables,
            rating_tags,
            rating_codes,
            ratings,
            rectifications,
            limits,
            disputes,
            invitations,
            integrity,
            scores,
            items,
            surveys,
            assessments,
            demand,
        ],
        constraints={
            "uq_assessment_scheme_code_version": SchemeOfOthers,
            "uq_score_recount_open": RecountUnderWay,
            "uq_score_table_division_code_grain_day": PublishedAlready,
            "uq_questionnaire_code_version": QuestionnaireOfOthers,
            "uq_dispute_rating": DisputedAlready,
            "uq_staff_number_unit_code_kind_hash": StaffNumberKnown,
            "uq_rating_evaluable_id_assess_number": RatingAlreadyGiven,
            "uq_wish_resident_id_month_division_code_topic": WishMadeAlready,
        },
        verifier=verifier,
        migrations="services.evaluation.migrations",
    )
