create function risk.current_accounts(of_day date, as_of timestamptz)
returns table (
    account_id text,
    display_name text,
    first_traded date,
    last_traded date,
    base_limit_usd numeric,
    is_disabled boolean,
    group_name text,
    trader_name text
)
language sql
stable
parallel safe
as $$
    with statements as (
        select
            accounts.account_id,
            accounts.valid_from,
            accounts.recorded_at,
            accounts.statement_id,
            accounts.display_name,
            accounts.first_traded,
            accounts.last_traded,
            accounts.base_limit_usd,
            accounts.is_disabled,
            accounts.group_name,
            accounts.trader_name
        from risk.accounts
        where
            accounts.valid_from <= current_accounts.of_day
            and accounts.recorded_at <= current_accounts.as_of
    ),

    held as (
        select
            statements.*,
            coalesce(renamed.account_id, statements.account_id) as holder_id
        from statements
        left join risk.renamed_accounts(current_accounts.as_of) as renamed
            on
                statements.account_id = renamed.former_account_id
                and statements.valid_from >= renamed.starts_at
                and statements.valid_from < renamed.ends_before
    ),

    gathered as (
        select
            held.holder_id as account_id,
            array_agg(held.display_name order by held.valid_from desc, held.recorded_at desc, held.statement_id desc)
            filter (where held.display_name is not null) as display_names,
            array_agg(held.first_traded order by held.valid_from desc, held.recorded_at desc, held.statement_id desc)
            filter (where held.first_traded is not null) as first_days,
            array_agg(held.last_traded order by held.valid_from desc, held.recorded_at desc, held.statement_id desc)
            filter (where held.last_traded is not null) as last_days,
            array_agg(held.base_limit_usd order by held.valid_from desc, held.recorded_at desc, held.statement_id desc)
            filter (where held.base_limit_usd is not null) as limits,
            array_agg(held.is_disabled order by held.valid_from desc, held.recorded_at desc, held.statement_id desc)
            filter (where held.is_disabled is not null) as disabled_states,
            array_agg(held.group_name order by held.valid_from desc, held.recorded_at desc, held.statement_id desc)
            filter (where held.group_name is not null) as group_names,
            array_agg(held.trader_name order by held.valid_from desc, held.recorded_at desc, held.statement_id desc)
            filter (where held.trader_name is not null) as trader_names
        from held
        group by held.holder_id
    )

    select
        gathered.account_id,
        gathered.display_names[1] as display_name,
        gathered.first_days[1] as first_traded,
        gathered.last_days[1] as last_traded,
        gathered.limits[1] as base_limit_usd,
        coalesce(gathered.disabled_states[1], false) as is_disabled,
        gathered.group_names[1] as group_name,
        gathered.trader_names[1] as trader_name
    from gathered
$$;

comment on function risk.current_accounts(date, timestamptz) is
'Facts about accounts on a day, as known at an instant: of each fact the last statement. Statements under a '
'former name hold until something is stated under the present one. Grain: one row per account with a statement. '
'base_limit_usd in US dollars.';
