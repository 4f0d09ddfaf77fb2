-- Reads the last link of some rows: the head of the chain when they were recorded.
-- Grain: at most one row. Reads: chain_links. Binds: kind, subjects.
select
    chain_links.sequence,
    chain_links.link_sha256
from risk.chain_links
where
    chain_links.kind = %(kind)s
    and chain_links.subject = any(%(subjects)s)
order by chain_links.sequence desc
limit 1;
