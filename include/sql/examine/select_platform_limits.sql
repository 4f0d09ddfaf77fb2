-- Reads which limits of an account the trading platform is known to have, with the links.
-- Grain: one row per platform limit. Reads: platform_limits, chain_links.
-- Binds: those of the conditions; after and until are instants, what was recorded in between is read.
-- All columns: the hash of a link is over every one.
select
    links.sequence as link_sequence,
    linked.* -- noqa: AM04
from risk.platform_limits as linked
left join risk.chain_links as links
    on
        links.kind = 'platform_limits'
        and links.subject = linked.statement_id::text
where
    linked.account_id = any(%(names)s)
    and linked.recorded_at > %(after)s::timestamptz
    and linked.recorded_at <= %(until)s::timestamptz
order by linked.statement_id;
