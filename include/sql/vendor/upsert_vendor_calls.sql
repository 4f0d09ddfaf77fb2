-- Records that a vendor is being called, or no longer.
-- Grain: one row. Writes: vendor_calls. Binds: vendor, has_ended.
-- Rerun: the same.
insert into risk.vendor_calls (
    vendor,
    ended_at
)
values (
    %(vendor)s,
    case when %(has_ended)s then clock_timestamp() end
)
on conflict (vendor) do update
    set ended_at = excluded.ended_at;
