-- Reads what persons entered about an account's breaches, with the links.
-- Grain: one row per limit breach entrie. Reads: limit_breach_entries, chain_links.
-- Binds: those of the conditions; after and until are instants, what was recorded in between is read.
-- All columns: the hash of a link is over every one.
select
    links.sequence as link_sequence,
    linked.* -- noqa: AM04
from risk.limit_breach_entries as linked
left join risk.chain_links as links
    on
        links.kind = 'limit_breach_entries'
        and links.subject = linked.entry_id::text
where
    linked.account_id = any(%(names)s)
    and linked.session_date between %(first_session)s and %(last_session)s
    and linked.recorded_at > %(after)s::timestamptz
    and linked.recorded_at <= %(until)s::timestamptz
order by linked.entry_id;
