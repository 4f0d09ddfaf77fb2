create table risk.calendars (
    is_only boolean primary key default true check (is_only),
    calendar_code text not null,
    recorded_at timestamptz not null default clock_timestamp()
);

comment on table risk.calendars is
'The exchange whose sessions this warehouse keeps; another one is refused. Grain: one row, once a run has started. '
'Append only.';
comment on column risk.calendars.is_only is 'Always true: there is one row.';
comment on column risk.calendars.calendar_code is 'Code of the calendar in the package exchange_calendars.';
comment on column risk.calendars.recorded_at is 'When the row was recorded (committed).';
