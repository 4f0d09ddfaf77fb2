"""What OpenLineage hears of a step: the tables it reads and writes, the results of the checks, the report's digest.

Airflow's OpenLineage provider asks each operator by the methods of `LineageMixin`; without it nobody asks.
No trader is named: a catalog is read by more people than the Risk page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from psycopg2.extensions import parse_dsn

from risk.core.desks import at_desk, desk_of
from risk.core.settings import read_settings
from risk.operators.assets import REPORT, asset_of

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

SEVERITIES = {"fail": "error", "warn": "warn"}
"""OpenLineage's word for ours."""

CHECKED = "risk.fills"
"""The table that the checks are about."""


def of(**tables: str) -> tuple[str, ...]:
    """Return the full names of tables, given by schema."""
    return tuple(f"{schema}.{name}" for schema, names in tables.items() for name in names.split())


TABLES: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "ExtractFillsOperator": (
        of(risk="withdrawals"),
        of(
            risk=(
                "accounts adjustments chain_links corrections deliveries fill_rejects fills instruments "
                "loads marks platform_limits runs source_files splits totals vendor_answers vendor_calls "
                "vendor_pages"
            )
        ),
    ),
    "CheckFillsOperator": (
        of(
            risk=(
                "accounts adjustments corrections deliveries fill_rejects fills policies source_files "
                "vendor_answers withdrawals"
            )
        ),
        of(results="quality_results"),
    ),
    "AggregatePnlOperator": (
        of(risk="accounts corrections deliveries fills instruments marks splits totals withdrawals"),
        of(
            derived="cut_outcomes daily_pnl last_fills positions",
            results="quality_results",
            risk="superseded_results",
        ),
    ),
    "BuildFeaturesOperator": (
        of(derived="daily_pnl"),
        of(derived="features"),
    ),
    "PredictLimitsOperator": (
        of(
            derived="daily_pnl features",
            risk="accounts limit_changes model_versions policies",
        ),
        of(
            derived="forecasts gate_bets",
            results="explanations gate_results",
        ),
    ),
    "ApplyRulesOperator": (
        of(
            derived="daily_pnl forecasts positions",
            results="gate_results",
            risk=(
                "accounts corrections deliveries fills limit_changes marks policies publications "
                "published_limits report_deliveries reports withdrawals"
            ),
        ),
        of(
            derived="cut_outcomes limit_receipts running_lows",
            results=(
                "cut_track_records desk_correlations desk_findings desk_scans desk_self_trades "
                "desk_tail_shares desk_tails limit_fits recommendations rule_evidence tail_effects "
                "trader_fits"
            ),
            risk="limit_breaches",
        ),
    ),
    "SendReportOperator": (
        of(
            derived="daily_pnl limit_receipts",
            results=(
                "cut_track_records desk_tail_shares desk_tails explanations gate_results limit_fits "
                "quality_results recommendations rule_evidence"
            ),
            risk=(
                "accounts adjustments corrections deliveries fill_rejects fills limit_breach_entries "
                "limit_breaches limit_changes platform_limits policies policy_requests publications "
                "published_limits source_files superseded_results withdrawals"
            ),
        ),
        of(risk="chain_links excerpt_deliveries report_deliveries report_digests report_parts reports"),
    ),
    "PublishLimitsOperator": (
        of(
            results="recommendations",
            risk="accounts limit_changes policies publications report_deliveries reports restores",
        ),
        of(risk="chain_links limit_decisions published_limits"),
    ),
}
"""By operator the tables it reads, and those it writes. Left out are those that every step looks its run up in."""


class LineageMixin:
    """An operator of which OpenLineage may ask what it did.

    Attributes
    ----------
    done
        What the step returned; empty before it has ended.
    """

    done: Mapping[str, Any] = {}

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage:  # noqa: ARG002  (the provider's)
        """Return inputs and outputs with their facets."""
        from airflow.providers.openlineage.extractors import OperatorLineage

        # The provider may ask in a thread of its own, which knows nothing of the desk that the task has entered.
        with at_desk(desk_of(str(getattr(self, "dag_id", "")))):
            return OperatorLineage(inputs=self._inputs(), outputs=self._outputs())

    def get_openlineage_facets_on_failure(self, task_instance: Any) -> OperatorLineage:
        """Return the same: what the checks found is stored before the task fails."""
        return self.get_openlineage_facets_on_complete(task_instance)

    def assertions(self) -> Sequence[Mapping[str, Any]]:
        """Return the results of the checks that the step has made, one row each; most steps make none."""
        return ()

    def _tables(self) -> tuple[Sequence[str], Sequence[str]]:
        # A firm's own subclass touches what ours does.
        return next(TABLES[one.__name__] for one in type(self).__mro__ if one.__name__ in TABLES)

    def _inputs(self) -> list[Any]:
        from openlineage.client.event_v2 import InputDataset
        from openlineage.client.facet_v2 import data_quality_assertions_dataset as quality

        checked = [quality.Assertion(**one) for one in summarized(self.assertions())]
        facets = {"dataQualityAssertions": quality.DataQualityAssertionsDatasetFacet(checked)} if checked else {}
        return [
            InputDataset(**place, inputFacets=facets if table == CHECKED else {})
            for table, place in places(self._tables()[0]).items()
        ]

    def _outputs(self) -> list[Any]:
        from openlineage.client.event_v2 import OutputDataset
        from openlineage.client.facet_v2 import dataset_version_dataset as version

        outputs = [OutputDataset(**place) for place in places(self._tables()[1]).values()]
        if digest := self.done.get("facts_sha256"):
            desk, _, name = asset_of(read_settings().desk, REPORT).uri.rpartition("/")
            facet = version.DatasetVersionDatasetFacet(datasetVersion=digest)
            outputs.append(OutputDataset(namespace=desk, name=name, facets={"version": facet}))
        return outputs


def places(tables: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return namespace and name of each table, as OpenLineage names those of Postgres."""
    from risk.operators.base import warehouse_dsn

    where = parse_dsn(warehouse_dsn())
    namespace = f"postgres://{where.get('host', 'localhost')}:{where.get('port', '5432')}"
    return {table: {"namespace": namespace, "name": f"{where['dbname']}.{table}"} for table in tables}


def summarized(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Say of each check whether all its results passed, and how many did not: subjects and messages name traders."""
    by_check = itemgetter("check_name")
    found = []
    for name, group in groupby(sorted(results, key=by_check), key=by_check):
        of_check = list(group)
        failed = [one for one in of_check if not one["has_passed"]]
        found.append(
            {
                "assertion": "custom_sql",
                "name": name,
                "success": not failed,
                "severity": SEVERITIES[min(one["severity"] for one in failed or of_check)],
                "expected": "0",
                "actual": str(len(failed)),
            }
        )
    return found
