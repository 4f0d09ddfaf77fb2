-- Compares what made the forecasts of two runs: the change of each contribution to the logarithm of a forecast loss.
-- Grain: one row per account, contribution with a change. Reads: explanations. Binds: run_a, run_b.
-- The changes of an account add up to log_change, the change of the logarithm of its forecast loss.
with before as (
    select
        explanations.account_id,
        explanations.log_loss,
        named.part,
        named.contribution::double precision as contribution
    from results.explanations
    cross join lateral jsonb_each_text(explanations.contributions) as named (part, contribution)
    where explanations.run_id = %(run_a)s
),

after as (
    select
        explanations.account_id,
        explanations.log_loss,
        named.part,
        named.contribution::double precision as contribution
    from results.explanations
    cross join lateral jsonb_each_text(explanations.contributions) as named (part, contribution)
    where explanations.run_id = %(run_b)s
)

select
    after.account_id,
    after.part,
    after.contribution - before.contribution as contribution_change,
    after.log_loss - before.log_loss as log_change
from after
inner join before
    on
        after.account_id = before.account_id
        and after.part = before.part
where after.contribution <> before.contribution
order by
    after.account_id asc,
    abs(after.contribution - before.contribution) desc,
    after.part asc;
