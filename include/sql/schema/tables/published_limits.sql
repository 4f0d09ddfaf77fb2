create table risk.published_limits (
    publication_id bigint not null references risk.publications (publication_id),
    account_id text not null,
    effective_session date not null references risk.sessions (session_date),
    base_limit_usd numeric(18, 2) not null,
    recommended_limit_usd numeric(18, 2) not null,
    decided_limit_usd numeric(18, 2) not null,
    limit_usd numeric(18, 2) not null check (limit_usd > 0),
    reason text not null,
    decision_id bigint not null unique references risk.limit_decisions (decision_id),
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (publication_id, account_id)
);

create index published_limits_session on risk.published_limits (effective_session, account_id);

comment on table risk.published_limits is
'Limits in force from a session on: what was decided, less what a gradual restoration holds back. Grain: one '
'row per publication and account. Append only.';
comment on column risk.published_limits.publication_id is 'Publication it belongs to.';
comment on column risk.published_limits.account_id is 'Account.';
comment on column risk.published_limits.effective_session is 'Session the limits are for.';
comment on column risk.published_limits.base_limit_usd is 'Limit before any cut, US dollars.';
comment on column risk.published_limits.recommended_limit_usd is 'Limit that the run recommended.';
comment on column risk.published_limits.decided_limit_usd is 'Limit that was decided.';
comment on column risk.published_limits.limit_usd is 'Limit in force.';
comment on column risk.published_limits.reason is 'Why this limit, as a sentence.';
comment on column risk.published_limits.decision_id is 'Outcome behind it; names the link, which names no account.';
comment on column risk.published_limits.recorded_at is 'When the row was recorded (committed).';
