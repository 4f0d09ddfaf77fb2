-- Reads what persons noted about an account and its days, with the links.
-- Grain: one row per note. Reads: notes, chain_links.
-- Binds: those of the conditions; after and until are instants, what was recorded in between is read. A note about no
-- day counts for the day of the exchange on which it was recorded.
-- All columns: the hash of a link is over every one.
select
    links.sequence as link_sequence,
    linked.* -- noqa: AM04
from risk.notes as linked
left join risk.chain_links as links
    on
        links.kind = 'notes'
        and links.subject = linked.note_id::text
where
    linked.account_id = any(%(names)s)
    and coalesce(linked.session_date, (linked.recorded_at at time zone %(exchange_zone)s)::date)
    between %(first_session)s and %(last_session)s
    and linked.recorded_at > %(after)s::timestamptz
    and linked.recorded_at <= %(until)s::timestamptz
order by linked.note_id;
