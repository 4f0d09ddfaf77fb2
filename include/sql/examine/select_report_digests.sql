-- Reads the digests of some sessions' reports, with the links.
-- Grain: one row per report digest. Reads: report_digests, chain_links, runs.
-- Binds: those of the conditions; after and until are instants, what was recorded in between is read.
-- All columns: the hash of a link is over every one.
select
    links.sequence as link_sequence,
    linked.* -- noqa: AM04
from risk.report_digests as linked
inner join risk.runs on linked.run_id = runs.run_id
left join risk.chain_links as links
    on
        links.kind = 'report_digests'
        and links.subject = linked.run_id::text
where
    runs.session_date between %(first_session)s and %(last_session)s
    and linked.recorded_at > %(after)s::timestamptz
    and linked.recorded_at <= %(until)s::timestamptz
order by linked.run_id;
