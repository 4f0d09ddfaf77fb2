-- Reads the reported runs whose recommendations counted for sessions of a range, and whether their books have changed.
-- Grain: one row per effective session that was reported, ascending. Reads: scored_runs, runs, loads, deliveries,
-- marks, instruments, splits, applied_corrections, withdrawals, accounts. Writes: -. Binds: first_session,
-- last_session (effective). Money: -. Rerun: reads only.
-- is_restated: something that the books of the run's session or earlier ones are built from was recorded after its
-- as_of. A rename changes the books of all sessions.
with counted as (
    select
        scored.effective_session,
        scored.run_id,
        scored.is_live
    from risk.scored_runs('infinity') as scored
    where scored.effective_session between %(first_session)s and %(last_session)s
),

inputs as (
    select
        deliveries.session_date,
        deliveries.recorded_at
    from risk.deliveries
    union all
    select
        marks.session_date,
        marks.recorded_at
    from risk.marks
    union all
    select
        instruments.valid_from as session_date,
        instruments.recorded_at
    from risk.instruments
    union all
    select
        splits.session_date,
        splits.recorded_at
    from risk.splits
    union all
    select
        withdrawals.session_date,
        withdrawals.recorded_at
    from risk.withdrawals
    union all
    select
        corrected.session_date,
        correcting.recorded_at
    from risk.applied_corrections('infinity') as applied
    inner join risk.deliveries as corrected on applied.delivery_id = corrected.delivery_id
    inner join risk.deliveries as correcting on applied.correcting_delivery_id = correcting.delivery_id
    union all
    select
        '-infinity'::date as session_date,
        accounts.recorded_at
    from risk.accounts
    where accounts.former_account_id is not null
),

last_changes as (
    select
        inputs.session_date,
        max(inputs.recorded_at) as recorded_at
    from inputs
    group by inputs.session_date
)

select
    runs.run_id,
    runs.session_date,
    runs.effective_session,
    runs.as_of,
    runs.revision,
    runs.load_id,
    runs.dag_run_id,
    runs.code_version,
    loads.is_simulated,
    counted.is_live,
    exists(
        select
        from last_changes
        where
            last_changes.session_date <= runs.session_date
            and last_changes.recorded_at > runs.as_of
    ) as is_restated
from counted
inner join risk.runs on counted.run_id = runs.run_id
inner join risk.loads on runs.load_id = loads.load_id
order by runs.effective_session;
