-- Reads the policies that were adopted, with the links.
-- Grain: one row per policie. Reads: policies, chain_links.
-- Binds: those of the conditions; after and until are instants, what was recorded in between is read.
-- Version 0 is known at all times. All columns: the hash of a link is over every one.
select
    links.sequence as link_sequence,
    linked.* -- noqa: AM04
from risk.policies as linked
left join risk.chain_links as links
    on
        links.kind = 'policies'
        and links.subject = linked.version::text
where
    linked.version = 0
    or (
        linked.recorded_at > %(after)s::timestamptz
        and linked.recorded_at <= %(until)s::timestamptz
    )
order by linked.version;
