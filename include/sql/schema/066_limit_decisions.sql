-- What people, or the clock in their place, decided about the recommended limits.
-- Grain: any number of edits and then at most one outcome per publication and account. Reads: -.
-- Writes: limit_decisions. Binds: -. Money: limit_usd, US dollars: the limit that this decision wants.
-- Rerun: applied once. Append only.
-- action: edited = another limit is proposed; approved, rejected, defaulted (nobody answered in time) and
-- unasked (approval was not asked for) end the matter. user_id: Airflow's id of the person; '' = the clock.
create table limit_decisions (
    decision_id bigint generated always as identity primary key,
    publication_id bigint not null references publications (publication_id),
    account_id text not null,
    action text not null check (action in ('edited', 'approved', 'rejected', 'defaulted', 'unasked')),
    limit_usd numeric(18, 2) not null check (limit_usd > 0),
    reason text not null,
    user_id text not null,
    user_name text not null,
    recorded_at timestamptz not null default clock_timestamp(),
    check (action <> 'edited' or (reason <> '' and user_id <> ''))
);
