-- Reads how long ago the last task ended that called a vendor.
-- Grain: at most one row; none = no task ever did, null = one does, or was killed. Reads: vendor_calls. Binds: vendor.
select date_part('epoch', clock_timestamp() - vendor_calls.ended_at) as seconds
from risk.vendor_calls
where vendor_calls.vendor = %(vendor)s;
