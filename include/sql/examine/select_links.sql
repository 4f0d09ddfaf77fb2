-- Reads the chain from a link on.
-- Grain: one row per link. Reads: chain_links. Binds: first_sequence.
select
    chain_links.sequence,
    chain_links.format_number,
    chain_links.kind,
    chain_links.subject,
    chain_links.row_count,
    chain_links.content_sha256,
    chain_links.previous_sha256,
    chain_links.link_sha256,
    chain_links.recorded_at
from risk.chain_links
where chain_links.sequence >= %(first_sequence)s
order by chain_links.sequence;
