-- Reads the bets of the gate up to a session.
-- Grain: one row per session and candidate. Reads: gate_bets. Writes: -. Binds: session_date. Money: -.
-- Rerun: reads only.
select
    gate_bets.session_date,
    gate_bets.candidate,
    gate_bets.opponent,
    gate_bets.procedure,
    gate_bets.gain,
    gate_bets.forecast_count,
    gate_bets.exceedance_count,
    gate_bets.log_wealth,
    gate_bets.log_contrary,
    gate_bets.log_high,
    gate_bets.log_low,
    gate_bets.is_serving
from derived.gate_bets
where gate_bets.session_date <= %(session_date)s
order by
    gate_bets.session_date asc,
    gate_bets.candidate asc;
