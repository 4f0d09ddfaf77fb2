create table risk.vendor_calls (
    vendor text primary key,
    ended_at timestamptz
);

comment on table risk.vendor_calls is
'When a vendor was last called, so that machines together keep its limit on requests. Grain: one row per vendor.';
comment on column risk.vendor_calls.vendor is 'Digest of the login''s name and the address it asks.';
comment on column risk.vendor_calls.ended_at is
'When the last task to call it had ended; null = it is being called, or the task that called it was killed.';
