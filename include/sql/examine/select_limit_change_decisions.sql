-- Reads decisions about an account's changes, with the links.
-- Grain: one row per limit change decision. Reads: limit_change_decisions, chain_links, limit_changes.
-- Binds: those of the conditions; after and until are instants, what was recorded in between is read.
-- All columns: the hash of a link is over every one.
select
    links.sequence as link_sequence,
    linked.* -- noqa: AM04
from risk.limit_change_decisions as linked
inner join risk.limit_changes as changes on linked.change_id = changes.change_id
left join risk.chain_links as links
    on
        links.kind = 'limit_change_decisions'
        and links.subject = linked.change_id::text
where
    changes.account_id = any(%(names)s)
    and linked.recorded_at > %(after)s::timestamptz
    and linked.recorded_at <= %(until)s::timestamptz
order by linked.change_id;
