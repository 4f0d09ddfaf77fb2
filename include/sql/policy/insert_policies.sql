-- Stores an adopted policy under the next version, the first one under 0.
-- Grain: one row. Reads, writes: policies. Binds: policy_text, content_sha256, valid_from (null = version 0), author,
-- reason, approver (null = none was required). Rerun: stores one more version; the caller holds the write lock.
insert into risk.policies (
    version,
    policy_text,
    content_sha256,
    valid_from,
    author,
    reason,
    approver
)
select
    coalesce(max(earlier.version) + 1, 0),
    %(policy_text)s,
    %(content_sha256)s,
    %(valid_from)s,
    %(author)s,
    %(reason)s,
    %(approver)s
from risk.policies as earlier
returning policies.version;
