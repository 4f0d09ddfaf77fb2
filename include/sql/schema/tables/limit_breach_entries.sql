create table risk.limit_breach_entries (
    entry_id bigint generated always as identity primary key,
    account_id text not null,
    session_date date not null,
    action text not null check (action in ('closed', 'reopened')),
    reason text check (
        reason in (
            'limit not set on the platform',
            'platform''s stop late or off',
            'traded on',
            'agreed in advance',
            'gap or illiquid',
            'data error',
            'trader spoken to',
            'other'
        )
    ),
    sentence text not null check (sentence <> ''),
    user_id text not null check (user_id <> ''),
    user_name text not null,
    recorded_at timestamptz not null default clock_timestamp(),
    check ((action = 'closed') = (reason is not null))
);

create index limit_breach_entries_sessions on risk.limit_breach_entries (session_date, account_id);

comment on table risk.limit_breach_entries is
'What persons logged in to Airflow entered about breaches. The newest entry of an account-session counts: a later one '
'corrects or reopens. Grain: one row per entry. Append only.';
comment on column risk.limit_breach_entries.entry_id is 'Key of the entry.';
comment on column risk.limit_breach_entries.account_id is 'Account of the breach.';
comment on column risk.limit_breach_entries.session_date is 'Session of the breach.';
comment on column risk.limit_breach_entries.action is 'closed or reopened.';
comment on column risk.limit_breach_entries.reason is 'Why it is closed; null = it is reopened.';
comment on column risk.limit_breach_entries.sentence is 'Explanation in the words of the person.';
comment on column risk.limit_breach_entries.user_id is 'Airflow''s id of the person.';
comment on column risk.limit_breach_entries.user_name is 'Name of the person.';
comment on column risk.limit_breach_entries.recorded_at is 'When the row was recorded (committed).';
