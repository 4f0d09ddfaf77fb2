-- Reads the newest link of a warehouse.
-- Grain: at most one row. Reads: chain_links. Binds: -.
select
    chain_links.sequence,
    chain_links.link_sha256
from risk.chain_links
order by chain_links.sequence desc
limit 1;
