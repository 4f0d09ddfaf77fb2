-- Reads every account that files, deliveries, the register or a run name: for a request with another spelling.
-- Grain: one row per account. Reads: accounts, deliveries, limit_changes, recommendations.
select deliveries.account_id from risk.deliveries
union
select accounts.account_id from risk.accounts
union
select limit_changes.account_id from risk.limit_changes
union
select recommendations.account_id from results.recommendations
order by account_id;
