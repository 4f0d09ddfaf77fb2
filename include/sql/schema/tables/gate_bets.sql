create table derived.gate_bets (
    session_date date not null references risk.sessions (session_date),
    candidate text not null check (candidate in ('filtered', 'model')),
    opponent text not null check (opponent in ('rules', 'historical', 'filtered')),
    procedure text not null,
    run_id bigint not null references risk.runs (run_id),
    gain double precision not null,
    forecast_count integer not null check (forecast_count > 0),
    exceedance_count integer not null,
    log_wealth double precision not null,
    log_contrary double precision not null,
    log_high double precision not null,
    log_low double precision not null,
    is_serving boolean not null,
    primary key (session_date, candidate),
    check (exceedance_count between 0 and forecast_count)
);

comment on table derived.gate_bets is
'Bets of the gate on sessions whose forecasts were issued before the open; the first one on a session counts and is '
'never replaced, whatever is restated. Grain: one row per session and candidate. Append only.';
comment on column derived.gate_bets.session_date is 'Session that was bet on.';
comment on column derived.gate_bets.candidate is
'What shall serve: filtered (filtered historical simulation) or model.';
comment on column derived.gate_bets.opponent is 'What served without it.';
comment on column derived.gate_bets.procedure is
'Hash of what the candidate was made of; a change starts at a wealth of 1.';
comment on column derived.gate_bets.run_id is 'Run that placed it.';
comment on column derived.gate_bets.gain is
'Pinball loss of the opponent less that of the candidate, in own scales.';
comment on column derived.gate_bets.forecast_count is 'Forecasts scored.';
comment on column derived.gate_bets.exceedance_count is 'Results below the forecast of the candidate.';
comment on column derived.gate_bets.log_wealth is 'Logarithm of the wealth of the bet on the candidate.';
comment on column derived.gate_bets.log_contrary is
'Logarithm of the wealth of the bet against it since its promotion.';
comment on column derived.gate_bets.log_high is 'Logarithm of the evidence that more than 5% of results fall below it.';
comment on column derived.gate_bets.log_low is 'Logarithm of the evidence that fewer do.';
comment on column derived.gate_bets.is_serving is 'Whether the candidate serves after the session.';
