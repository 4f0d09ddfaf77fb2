create table derived.cut_outcomes (
    account_id text not null,
    effective_session date not null references risk.sessions (session_date),
    run_id bigint not null references risk.runs (run_id),
    reported_at timestamptz not null,
    is_live boolean not null,
    base_limit_usd numeric(18, 2) not null,
    cut_ratio numeric(3, 2) not null,
    limit_usd numeric(18, 2) not null,
    running_lows_usd numeric[] not null,
    close_usd numeric not null,
    base_outcome_usd numeric not null,
    cut_outcome_usd numeric not null,
    primary key (account_id, effective_session)
);

create index cut_outcomes_session on derived.cut_outcomes (effective_session, account_id);

comment on table derived.cut_outcomes is
'What became of past recommendations. A cache: rebuilt from reports, books and fills. Grain: one row per '
'account and effective session whose books are complete.';
comment on column derived.cut_outcomes.account_id is 'Account.';
comment on column derived.cut_outcomes.effective_session is 'Session the limits are for.';
comment on column derived.cut_outcomes.run_id is 'Run whose recommendation is scored, see scored_runs.';
comment on column derived.cut_outcomes.reported_at is 'When the recommendation was reported.';
comment on column derived.cut_outcomes.is_live is 'Whether it was reported before the effective session opened.';
comment on column derived.cut_outcomes.base_limit_usd is 'Limit before the cut, US dollars.';
comment on column derived.cut_outcomes.cut_ratio is 'Recommended cut; 0.40 = 40%.';
comment on column derived.cut_outcomes.limit_usd is 'Recommended limit, US dollars.';
comment on column derived.cut_outcomes.running_lows_usd is
'New lows of the session''s running net P&L as positive losses, ascending: under any limit the day ends at the '
'first one that reaches it.';
comment on column derived.cut_outcomes.close_usd is 'Total P&L of the session, US dollars.';
comment on column derived.cut_outcomes.base_outcome_usd is 'P&L of the day under the base limit.';
comment on column derived.cut_outcomes.cut_outcome_usd is 'P&L of the day under the recommended limit.';
