-- Reads requests to adopt a policy, with the links.
-- Grain: one row per policy request. Reads: policy_requests, chain_links.
-- Binds: those of the conditions; after and until are instants, what was recorded in between is read.
-- All columns: the hash of a link is over every one.
select
    links.sequence as link_sequence,
    linked.* -- noqa: AM04
from risk.policy_requests as linked
left join risk.chain_links as links
    on
        links.kind = 'policy_requests'
        and links.subject = linked.request_id::text
where
    linked.recorded_at > %(after)s::timestamptz
    and linked.recorded_at <= %(until)s::timestamptz
order by linked.request_id;
