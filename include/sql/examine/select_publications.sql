-- Reads the publications of some sessions' limits, with the links.
-- Grain: one row per publication. Reads: publications, chain_links.
-- Binds: those of the conditions; after and until are instants, what was recorded in between is read.
-- All columns: the hash of a link is over every one.
select
    links.sequence as link_sequence,
    linked.* -- noqa: AM04
from risk.publications as linked
left join risk.chain_links as links
    on
        links.kind = 'publications'
        and links.subject = linked.publication_id::text
where
    linked.effective_session between %(first_session)s and %(last_session)s
    and linked.recorded_at > %(after)s::timestamptz
    and linked.recorded_at <= %(until)s::timestamptz
order by linked.publication_id;
