-- The one definition of what holds for an account on a day, as known at an instant: of each fact the last statement.
-- Grain: one row per account that somebody stated anything about. Reads: accounts, base_limits,
-- renamed_accounts. Writes: -. Binds: -.
-- Money: base_limit_usd, US dollars, of the file's statements and those of base_limits the one of the latest day, then
-- the one recorded last. Rerun: applied once.
-- What was stated about an account under a former name holds on, until something is stated under the new one.
create or replace function stated_accounts(of_day date, as_of timestamptz)
returns table (
    account_id text,
    display_name text,
    first_traded date,
    last_traded date,
    base_limit_usd numeric,
    is_disabled boolean
)
language sql
stable
parallel safe
as $$
    with told as (
        select
            accounts.account_id,
            accounts.valid_from,
            accounts.recorded_at,
            accounts.statement_id,
            accounts.display_name,
            accounts.first_traded,
            accounts.last_traded,
            accounts.base_limit_usd,
            accounts.is_disabled
        from accounts
        where
            accounts.valid_from <= stated_accounts.of_day
            and accounts.recorded_at <= stated_accounts.as_of
        union all
        select
            base_limits.account_id,
            base_limits.valid_from,
            base_limits.recorded_at,
            base_limits.base_limit_id as statement_id,
            null as display_name,
            null as first_traded,
            null as last_traded,
            base_limits.limit_usd as base_limit_usd,
            null as is_disabled
        from base_limits
        where
            base_limits.valid_from <= stated_accounts.of_day
            and base_limits.recorded_at <= stated_accounts.as_of
    ),

    held as (
        select
            told.*,
            coalesce(renamed.account_id, told.account_id) as holder_id
        from told
        left join renamed_accounts(stated_accounts.as_of) as renamed
            on
                told.account_id = renamed.former_account_id
                and told.valid_from >= renamed.starts_at
                and told.valid_from < renamed.ends_before
    ),

    gathered as (
        select
            told.holder_id as account_id,
            array_agg(told.display_name order by told.valid_from desc, told.recorded_at desc, told.statement_id desc)
            filter (where told.display_name is not null) as display_names,
            array_agg(told.first_traded order by told.valid_from desc, told.recorded_at desc, told.statement_id desc)
            filter (where told.first_traded is not null) as first_days,
            array_agg(told.last_traded order by told.valid_from desc, told.recorded_at desc, told.statement_id desc)
            filter (where told.last_traded is not null) as last_days,
            array_agg(told.base_limit_usd order by told.valid_from desc, told.recorded_at desc, told.statement_id desc)
            filter (where told.base_limit_usd is not null) as base_limits,
            array_agg(told.is_disabled order by told.valid_from desc, told.recorded_at desc, told.statement_id desc)
            filter (where told.is_disabled is not null) as verdicts
        from held as told
        group by told.holder_id
    )

    select
        gathered.account_id,
        gathered.display_names[1] as display_name,
        gathered.first_days[1] as first_traded,
        gathered.last_days[1] as last_traded,
        gathered.base_limits[1] as base_limit_usd,
        coalesce(gathered.verdicts[1], false) as is_disabled
    from gathered
$$;
