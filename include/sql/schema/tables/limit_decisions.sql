create table risk.limit_decisions (
    decision_id bigint generated always as identity primary key,
    publication_id bigint not null references risk.publications (publication_id),
    account_id text not null,
    action text not null check (action in ('edited', 'approved', 'rejected', 'timed_out', 'not_required')),
    limit_usd numeric(18, 2) not null check (limit_usd > 0),
    reason text not null,
    user_id text not null,
    user_name text not null,
    recorded_at timestamptz not null default clock_timestamp(),
    check (action <> 'edited' or (reason <> '' and user_id <> ''))
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
comment on column risk.limit_decisions.limit_usd is 'Limit that the decision asks for, US dollars.';
comment on column risk.limit_decisions.reason is 'Reason given; required for an edit.';
comment on column risk.limit_decisions.user_id is 'Airflow''s id of the person; empty = the deadline or the policy.';
comment on column risk.limit_decisions.user_name is 'Name of the person.';
comment on column risk.limit_decisions.recorded_at is 'When the row was recorded (committed).';
