-- Reads withdrawals of an account's deliveries, with the links.
-- Grain: one row per withdrawal. Reads: withdrawals, chain_links.
-- Binds: those of the conditions; after and until are instants, what was recorded in between is read.
-- All columns: the hash of a link is over every one.
select
    links.sequence as link_sequence,
    linked.* -- noqa: AM04
from risk.withdrawals as linked
left join risk.chain_links as links
    on
        links.kind = 'withdrawals'
        and links.subject = linked.withdrawal_id::text
where
    linked.account_id = any(%(names)s)
    and linked.session_date between %(first_session)s and %(last_session)s
    and linked.recorded_at > %(after)s::timestamptz
    and linked.recorded_at <= %(until)s::timestamptz
order by linked.withdrawal_id;
