-- The limits that are in force from a session on: what was decided, less what the restore path holds back.
-- Grain: one row per publication and account. Reads: -. Writes: published_limits. Binds: -. Money: US dollars.
-- Rerun: applied once. Append only.
-- reason: why this limit, in words; decision_id: the outcome behind it.
create table published_limits (
    publication_id bigint not null references publications (publication_id),
    account_id text not null,
    effective_session date not null references sessions (session_date),
    base_limit_usd numeric(18, 2) not null,
    recommended_limit_usd numeric(18, 2) not null,
    decided_limit_usd numeric(18, 2) not null,
    limit_usd numeric(18, 2) not null check (limit_usd > 0),
    reason text not null,
    decision_id bigint not null references limit_decisions (decision_id),
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (publication_id, account_id)
);
