create table risk.sessions (
    session_date date primary key,
    session_number integer not null unique deferrable initially deferred,
    opens_at timestamptz not null,
    closes_at timestamptz not null
);

comment on table risk.sessions is
'Trading sessions of the exchange, so that SQL can map days to sessions and count sessions back. Grain: '
'one row per session. Kept equal to the exchange calendar.';
comment on column risk.sessions.session_date is 'Day of the session in the exchange''s zone.';
comment on column risk.sessions.session_number is 'Position in the calendar, ascending without gaps.';
comment on column risk.sessions.opens_at is 'Start of regular trading.';
comment on column risk.sessions.closes_at is 'End of regular trading; earlier on half days.';
