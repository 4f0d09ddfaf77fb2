-- Records which exchange's sessions the warehouse keeps.
-- Grain: one row, once. Reads: -. Writes: calendars. Binds: calendar_code. Money: -. Rerun: changes nothing.
insert into risk.calendars (calendar_code)
values (%(calendar_code)s)
on conflict do nothing;
