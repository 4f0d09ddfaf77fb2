-- Reads the limits of an account that were published, with the links.
-- Grain: one row per published limit. Reads: published_limits, chain_links, publications.
-- Binds: those of the conditions; after and until are instants, what was recorded in between is read.
-- All columns: the hash of a link is over every one.
select
    links.sequence as link_sequence,
    linked.* -- noqa: AM04
from risk.published_limits as linked
inner join risk.publications on linked.publication_id = publications.publication_id
left join risk.chain_links as links
    on
        links.kind = 'published_limits'
        and links.subject = linked.decision_id::text
where
    linked.account_id = any(%(names)s)
    and publications.effective_session between %(first_session)s and %(last_session)s
    and linked.recorded_at > %(after)s::timestamptz
    and linked.recorded_at <= %(until)s::timestamptz
order by
    linked.publication_id,
    linked.account_id;
