-- Types every staged record up to the load's last session, or says by codes what is wrong with it.
-- Grain: one row per record. Reads: staged_fills, staged_moments, staged_accounts, staged_symbols. Writes: checked_fills.
-- Binds: through_session_date. Money: price in currency, fees_usd the sum of all fee columns, positive = cost.
-- Rerun: gone with its transaction.
-- One pattern over all numbers of a record decides the usual case; only a record that fails it is looked at column by
-- column. The pattern admits plain decimals only: no exponent, NaN, Infinity or hexadecimal, which numeric would take.
-- The separator 0x1F cannot occur inside a number: a file that holds one is refused as no text.
-- "offset 0" keeps the planner from computing a column once for every place that uses it.
create temporary table checked_fills on commit drop as
with joined as (
    select
        staged_fills.*,
        staged_accounts.account_id,
        staged_accounts.code as account_code,
        staged_moments.session_date,
        staged_moments.executed_at,
        staged_moments.is_time_unknown,
        staged_moments.code as moment_code,
        staged_symbols.symbol as symbol_id,
        staged_symbols.code as symbol_code,
        concat_ws(
            e'\x1f', staged_fills.quantity, staged_fills.price, staged_fills.fee_comm, staged_fills.fee_ecn,
            staged_fills.fee_sec, staged_fills.fee_orf, staged_fills.fee_taf, staged_fills.fee_ftt,
            staged_fills.fee_nfa, staged_fills.fee_cat, staged_fills.fee_nscc, staged_fills.fee_acc,
            staged_fills.fee_clr, staged_fills.fee_misc
        ) as numbers
    from staged_fills
    left join staged_accounts on staged_fills.account = staged_accounts.account
    left join staged_moments on staged_fills.date_time = staged_moments.date_time
    left join staged_symbols on staged_fills.symbol = staged_symbols.text
    where staged_moments.session_date is null or staged_moments.session_date <= %(through_session_date)s
    offset 0
),

formed as (
    select
        joined.*,
        joined.quantity is not null
        and joined.price is not null
        and length(joined.numbers) < 500
        and joined.numbers ~ '^([+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(\x1f|$))+$' as are_numbers
    from joined
    offset 0
),

typed as (
    select
        formed.*,
        case when formed.are_numbers then formed.quantity::numeric end as quantity_value,
        case when formed.are_numbers then formed.price::numeric end as price_value,
        case
            when formed.are_numbers
                then
                    coalesce(formed.fee_comm::numeric, 0)
                    + coalesce(formed.fee_ecn::numeric, 0)
                    + coalesce(formed.fee_sec::numeric, 0)
                    + coalesce(formed.fee_orf::numeric, 0)
                    + coalesce(formed.fee_taf::numeric, 0)
                    + coalesce(formed.fee_ftt::numeric, 0)
                    + coalesce(formed.fee_nfa::numeric, 0)
                    + coalesce(formed.fee_cat::numeric, 0)
                    + coalesce(formed.fee_nscc::numeric, 0)
                    + coalesce(formed.fee_acc::numeric, 0)
                    + coalesce(formed.fee_clr::numeric, 0)
                    + coalesce(formed.fee_misc::numeric, 0)
        end as fees_value
    from formed
    offset 0
),

judged as (
    select
        typed.*,
        case
            when
                typed.are_numbers
                and typed.quantity_value > 0
                and typed.quantity_value < 10000000000
                and scale(typed.quantity_value) <= 8
                and typed.price_value > 0
                and typed.price_value < 10000000000
                and scale(typed.price_value) <= 8
                and abs(typed.fees_value) < 10000000000
                and scale(typed.fees_value) <= 8
                and typed.account_id is not null
                and typed.account_code is null
                and typed.executed_at is not null
                and typed.moment_code is null
                and typed.symbol_id is not null
                and typed.symbol_code is null
                and typed.side in ('B', 'S', 'T', 'C')
                and typed.status is null
                and (typed.currency is null or typed.currency = 'USD')
                then null
            else
                concat_ws(
                    ' ',
                    case when typed.date_time is null then 'date_form' else typed.moment_code end,
                    case when typed.account is null then 'account_name' else typed.account_code end,
                    case when typed.side is null or typed.side not in ('B', 'S', 'T', 'C') then 'side' end,
                    case when typed.symbol is null then 'symbol' else typed.symbol_code end,
                    case when not typed.are_numbers then 'numbers' end,
                    case
                        when
                            typed.quantity_value <= 0
                            or typed.quantity_value >= 10000000000
                            or scale(trim_scale(typed.quantity_value)) > 8
                            then 'quantity'
                    end,
                    case
                        when
                            typed.price_value <= 0
                            or typed.price_value >= 10000000000
                            or scale(trim_scale(typed.price_value)) > 8
                            then 'price'
                    end,
                    case
                        when
                            abs(typed.fees_value) >= 10000000000
                            or scale(trim_scale(typed.fees_value)) > 8
                            then 'fees'
                    end,
                    case when typed.status is not null then 'status' end,
                    case when typed.currency <> 'USD' then 'currency' end
                )
        end as codes
    from typed
    offset 0
)

select
    judged.file_number,
    judged.line_number,
    judged.account_id,
    judged.session_date,
    judged.executed_at,
    judged.is_time_unknown,
    judged.side,
    judged.quantity_value as quantity,
    judged.symbol_id as symbol,
    judged.price_value as price,
    judged.fees_value as fees_usd,
    judged.order_id,
    coalesce(judged.propreports_id, judged.fill_id) as fill_key,
    nullif(judged.codes, '') as codes,
    case
        when coalesce(judged.codes, '') = ''
            then
                hash_record_extended(
                    row(
                        judged.executed_at, judged.side, judged.quantity_value, judged.symbol_id, judged.price_value,
                        judged.fees_value, judged.order_id, judged.propreports_id, judged.fill_id
                    ),
                    0
                )
        else
            hashtextextended(
                concat_ws(
                    e'\x1f', judged.codes, judged.date_time, judged.side, judged.symbol, judged.numbers, judged.status,
                    judged.currency, judged.order_id, judged.propreports_id, judged.fill_id
                ),
                0
            )
    end as content_hash
from judged;
