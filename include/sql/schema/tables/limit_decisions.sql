create table risk.limit_decisions (
    decision_id bigint generated always as identity primary key,
    publication_id bigint not null references risk.publications (publication_id),
    account_id text not null,
    action text not null check (action in ('edited', 'approved', 'rejected', 'timed_out', 'not_required')),
    limit_usd numeric(18, 2) not null check (limit_usd > 0),
    reason text not null,
    user_id text not null,
    user_name text not null,
    seen_sha256 text check (seen_sha256 ~ '^[0-9a-f]{64}$'),
    shown_at timestamptz,
    carried_from bigint references risk.limit_decisions (decision_id),
    recorded_at timestamptz not null default clock_timestamp(),
    check (action <> 'edited' or (reason <> '' and user_id <> '')),
    check ((action in ('edited', 'approved', 'rejected')) = (user_id <> '')),
    check ((user_id <> '') = (seen_sha256 is not null))
);

-- An outcome is decided once: the database refuses a second one.
create unique index limit_decisions_outcome on risk.limit_decisions (publication_id, account_id)
where action <> 'edited';

comment on table risk.limit_decisions is
'Decisions about the recommended limits, by people or by the deadline. Grain: any number of edits and then at '
'most one outcome per publication and account. Append only.';
comment on column risk.limit_decisions.decision_id is 'Key of the decision.';
comment on column risk.limit_decisions.publication_id is 'Publication it belongs to.';
comment on column risk.limit_decisions.account_id is 'Account.';
comment on column risk.limit_decisions.action is
'edited = another limit is proposed; outcomes: approved, rejected, timed_out (deadline passed), '
'not_required (no approval required).';
comment on column risk.limit_decisions.limit_usd is
'Limit that comes into force by it, US dollars; of an edit the one that is proposed.';
comment on column risk.limit_decisions.reason is 'Reason given; required for an edit.';
comment on column risk.limit_decisions.user_id is 'Airflow''s id of the person; empty = the deadline or the policy.';
comment on column risk.limit_decisions.user_name is 'Name of the person.';
comment on column risk.limit_decisions.seen_sha256 is
'Hash of the proposal that the person was shown; null where no person decided.';
comment on column risk.limit_decisions.shown_at is 'When the page that the person decided on was shown.';
comment on column risk.limit_decisions.carried_from is
'First decision, about an earlier report of the session, that this row repeats for a report that recommends the same; '
'null = decided here.';
comment on column risk.limit_decisions.recorded_at is 'When the row was recorded (committed).';
