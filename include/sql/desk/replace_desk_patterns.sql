-- Replaces what a run says of patterns between traders and of the correlation of their results.
-- Grain: one row per session, finding, self-trade and pair. Writes: desk_scans, desk_findings, desk_self_trades,
-- desk_correlations. Binds: run_id; scans, findings, self_trades, correlations (JSON arrays of objects by column name,
-- numbers as decimal text). Rerun: the same rows.
delete from results.desk_scans
where desk_scans.run_id = %(run_id)s;

delete from results.desk_findings
where desk_findings.run_id = %(run_id)s;

delete from results.desk_self_trades
where desk_self_trades.run_id = %(run_id)s;

delete from results.desk_correlations
where desk_correlations.run_id = %(run_id)s;

insert into results.desk_scans
select incoming.* -- noqa: AM04
from jsonb_populate_recordset(null::results.desk_scans, %(scans)s::jsonb) as incoming;

insert into results.desk_findings
select incoming.* -- noqa: AM04
from jsonb_populate_recordset(null::results.desk_findings, %(findings)s::jsonb) as incoming;

insert into results.desk_self_trades
select incoming.* -- noqa: AM04
from jsonb_populate_recordset(null::results.desk_self_trades, %(self_trades)s::jsonb) as incoming;

insert into results.desk_correlations
select incoming.* -- noqa: AM04
from jsonb_populate_recordset(null::results.desk_correlations, %(correlations)s::jsonb) as incoming;
