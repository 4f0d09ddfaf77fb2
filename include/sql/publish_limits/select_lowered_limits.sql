-- Reads which published limits are lower than what was recommended: a person has set or kept them.
-- Grain: one row per publication and account. Reads: published_limits. Binds: -.
select
    published_limits.publication_id,
    published_limits.account_id
from risk.published_limits
where published_limits.decided_limit_usd < published_limits.recommended_limit_usd;
