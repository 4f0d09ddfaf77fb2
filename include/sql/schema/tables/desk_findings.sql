create table results.desk_findings (
    run_id bigint not null references risk.runs (run_id),
    place integer not null,
    kind text not null check (kind in ('crowding', 'crossing', 'copying')),
    first_session_date date not null,
    last_session_date date not null,
    account_id text not null,
    other_account_ids text[] not null,
    is_pair boolean not null,
    symbols text[] not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    observed_count integer not null,
    expected_count numeric not null,
    probability numeric not null,
    false_alarms_per_year numeric not null,
    is_flagged boolean not null,
    lag_seconds integer,
    size_ratio numeric,
    same_size_count integer,
    primary key (run_id, place)
);

comment on table results.desk_findings is
'Patterns between traders, of each of the last five sessions and of all five. Grain: one row per run and place; '
'flagged ones first, then the rarest. The task replaces its run''s rows.';
comment on column results.desk_findings.run_id is 'Run the row belongs to.';
comment on column results.desk_findings.place is 'From 1.';
comment on column results.desk_findings.kind is
'crowding: enters what at least two others enter within 90 seconds; crossing: opposite sides within a minute; '
'copying: same side with a steady lag of up to four minutes.';
comment on column results.desk_findings.first_session_date is 'First session it covers.';
comment on column results.desk_findings.last_session_date is 'Last session; the same = one session.';
comment on column results.desk_findings.account_id is
'Account that was shifted in the null; where one copies, the one who follows.';
comment on column results.desk_findings.other_account_ids is 'The others, the most frequent first.';
comment on column results.desk_findings.is_pair is 'Whether it is of two accounts; else of one and any of the others.';
comment on column results.desk_findings.symbols is 'Symbols, the most frequent first, at most five.';
comment on column results.desk_findings.first_at is 'First meeting.';
comment on column results.desk_findings.last_at is 'Last meeting.';
comment on column results.desk_findings.observed_count is 'Orders of the account that met others.';
comment on column results.desk_findings.expected_count is 'Mean if its orders were shifted by 5 to 60 minutes.';
comment on column results.desk_findings.probability is 'Probability of at least so many under these shifts.';
comment on column results.desk_findings.false_alarms_per_year is
'Findings as rare as this in a desk-year of independent traders: the probability times all that is looked at.';
comment on column results.desk_findings.is_flagged is 'Whether false_alarms_per_year is at most 0.125.';
comment on column results.desk_findings.lag_seconds is 'Median lag of a copy.';
comment on column results.desk_findings.size_ratio is 'Median of the copy''s size over the original''s.';
comment on column results.desk_findings.same_size_count is 'Copies whose ratio is within 5% of it.';
