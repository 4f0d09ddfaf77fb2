-- Reads what was delivered for an account's sessions, with the links.
-- Grain: one row per deliverie. Reads: deliveries, chain_links.
-- Binds: those of the conditions; after and until are instants, what was recorded in between is read.
-- All columns: the hash of a link is over every one.
select
    links.sequence as link_sequence,
    linked.* -- noqa: AM04
from risk.deliveries as linked
left join risk.chain_links as links
    on
        links.kind = 'deliveries'
        and links.subject = linked.delivery_id::text
where
    linked.account_id = any(%(names)s)
    and linked.session_date between %(first_session)s and %(last_session)s
    and linked.recorded_at > %(after)s::timestamptz
    and linked.recorded_at <= %(until)s::timestamptz
order by linked.delivery_id;
