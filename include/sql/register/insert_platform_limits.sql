-- Stores that a person has entered a limit on the trading platform.
-- Grain: one row. Writes: platform_limits. Binds: account_id, limit_usd, user_id, user_name. Money: US dollars.
insert into risk.platform_limits (account_id, limit_usd, user_id, user_name)
values (%(account_id)s, %(limit_usd)s, %(user_id)s, %(user_name)s);
