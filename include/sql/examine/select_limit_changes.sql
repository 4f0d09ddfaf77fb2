-- Reads the register's changes of an account, with the links.
-- Grain: one row per limit change. Reads: limit_changes, chain_links.
-- Binds: those of the conditions; after and until are instants, what was recorded in between is read.
-- All columns: the hash of a link is over every one.
select
    links.sequence as link_sequence,
    linked.* -- noqa: AM04
from risk.limit_changes as linked
left join risk.chain_links as links
    on
        links.kind = 'limit_changes'
        and links.subject = linked.change_id::text
where
    linked.account_id = any(%(names)s)
    and linked.recorded_at > %(after)s::timestamptz
    and linked.recorded_at <= %(until)s::timestamptz
order by linked.change_id;
