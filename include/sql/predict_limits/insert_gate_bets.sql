-- Stores bets of the gate; one that was placed stays, and none is placed behind a later one.
-- Grain: one row per session and candidate. Writes: gate_bets.
-- Binds: run_id, bets (JSON array of objects with the columns of gate_bets). Money: -. Rerun: changes nothing.
insert into derived.gate_bets (
    session_date,
    candidate,
    opponent,
    procedure,
    run_id,
    gain,
    forecast_count,
    exceedance_count,
    log_wealth,
    log_contrary,
    log_high,
    log_low,
    is_serving
)
select
    given.session_date,
    given.candidate,
    given.opponent,
    given.procedure,
    %(run_id)s as run_id,
    given.gain,
    given.forecast_count,
    given.exceedance_count,
    given.log_wealth,
    given.log_contrary,
    given.log_high,
    given.log_low,
    given.is_serving
from
    jsonb_to_recordset(%(bets)s::jsonb) as given (
        session_date date,
        candidate text,
        opponent text,
        procedure text,
        gain double precision,
        forecast_count integer,
        exceedance_count integer,
        log_wealth double precision,
        log_contrary double precision,
        log_high double precision,
        log_low double precision,
        is_serving boolean
    )
where
    not exists (
        select 1
        from derived.gate_bets as later
        where
            later.candidate = given.candidate
            and later.session_date > given.session_date
    )
on conflict (session_date, candidate) do nothing;
