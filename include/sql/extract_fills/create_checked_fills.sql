-- Types every staged record up to the load's last session, or says by codes what is wrong with it.
-- Grain: one row per record. Reads: staged_fills, staged_moments, staged_accounts, staged_symbols.
-- Writes: checked_fills. Binds: through_session_date. Rerun: gone with its transaction.
-- Money: price in currency, fees_usd the sum of all fee columns, positive = cost.
-- A number is what numeric reads; NaN and Infinity are not below the limit, so they fail as too large.
-- "offset 0" keeps the planner from computing a column once for every place that uses it.
create temporary table checked_fills on commit drop as
with joined as (
    select
        staged_fills.file_number,
        staged_fills.line_number,
        staged_fills.date_time,
        staged_fills.account,
        staged_fills.side,
        staged_fills.quantity,
        staged_fills.symbol,
        staged_fills.price,
        staged_fills.fee_comm,
        staged_fills.fee_ecn,
        staged_fills.fee_sec,
        staged_fills.fee_orf,
        staged_fills.fee_taf,
        staged_fills.fee_ftt,
        staged_fills.fee_nfa,
        staged_fills.fee_cat,
        staged_fills.fee_nscc,
        staged_fills.fee_acc,
        staged_fills.fee_clr,
        staged_fills.fee_misc,
        staged_fills.order_id,
        staged_fills.fill_id,
        staged_fills.status,
        staged_fills.currency,
        staged_fills.propreports_id,
        staged_accounts.account_id,
        staged_accounts.code as account_code,
        staged_moments.session_date,
        staged_moments.executed_at,
        staged_moments.is_time_unknown,
        staged_moments.code as moment_code,
        staged_symbols.symbol as symbol_id,
        staged_symbols.code as symbol_code,
        staged_fills.quantity is not null
        and pg_input_is_valid(staged_fills.quantity, 'numeric')
        and staged_fills.price is not null
        and pg_input_is_valid(staged_fills.price, 'numeric')
        and (staged_fills.fee_comm is null or pg_input_is_valid(staged_fills.fee_comm, 'numeric'))
        and (staged_fills.fee_ecn is null or pg_input_is_valid(staged_fills.fee_ecn, 'numeric'))
        and (staged_fills.fee_sec is null or pg_input_is_valid(staged_fills.fee_sec, 'numeric'))
        and (staged_fills.fee_orf is null or pg_input_is_valid(staged_fills.fee_orf, 'numeric'))
        and (staged_fills.fee_taf is null or pg_input_is_valid(staged_fills.fee_taf, 'numeric'))
        and (staged_fills.fee_ftt is null or pg_input_is_valid(staged_fills.fee_ftt, 'numeric'))
        and (staged_fills.fee_nfa is null or pg_input_is_valid(staged_fills.fee_nfa, 'numeric'))
        and (staged_fills.fee_cat is null or pg_input_is_valid(staged_fills.fee_cat, 'numeric'))
        and (staged_fills.fee_nscc is null or pg_input_is_valid(staged_fills.fee_nscc, 'numeric'))
        and (staged_fills.fee_acc is null or pg_input_is_valid(staged_fills.fee_acc, 'numeric'))
        and (staged_fills.fee_clr is null or pg_input_is_valid(staged_fills.fee_clr, 'numeric'))
        and (staged_fills.fee_misc is null or pg_input_is_valid(staged_fills.fee_misc, 'numeric')) as are_numbers
    from staged_fills
    left join staged_accounts on staged_fills.account = staged_accounts.account
    left join staged_moments on staged_fills.date_time = staged_moments.date_time
    left join staged_symbols on staged_fills.symbol = staged_symbols.text
    where staged_moments.session_date is null or staged_moments.session_date <= %(through_session_date)s
    offset 0
),

typed as (
    select
        joined.file_number,
        joined.line_number,
        joined.date_time,
        joined.account,
        joined.side,
        joined.quantity,
        joined.symbol,
        joined.price,
        joined.order_id,
        joined.fill_id,
        joined.status,
        joined.currency,
        joined.propreports_id,
        joined.account_id,
        joined.account_code,
        joined.session_date,
        joined.executed_at,
        joined.is_time_unknown,
        joined.moment_code,
        joined.symbol_id,
        joined.symbol_code,
        joined.are_numbers,
        case when joined.are_numbers then joined.quantity::numeric end as quantity_value,
        case when joined.are_numbers then joined.price::numeric end as price_value,
        case
            when joined.are_numbers
                then
                    case when joined.fee_comm is null or joined.fee_comm = '0' then 0 else joined.fee_comm::numeric end
                    + case when joined.fee_ecn is null or joined.fee_ecn = '0' then 0 else joined.fee_ecn::numeric end
                    + case when joined.fee_sec is null or joined.fee_sec = '0' then 0 else joined.fee_sec::numeric end
                    + case when joined.fee_orf is null or joined.fee_orf = '0' then 0 else joined.fee_orf::numeric end
                    + case when joined.fee_taf is null or joined.fee_taf = '0' then 0 else joined.fee_taf::numeric end
                    + case when joined.fee_ftt is null or joined.fee_ftt = '0' then 0 else joined.fee_ftt::numeric end
                    + case when joined.fee_nfa is null or joined.fee_nfa = '0' then 0 else joined.fee_nfa::numeric end
                    + case when joined.fee_cat is null or joined.fee_cat = '0' then 0 else joined.fee_cat::numeric end
                    + case when joined.fee_nscc is null or joined.fee_nscc = '0' then 0 else joined.fee_nscc::numeric end
                    + case when joined.fee_acc is null or joined.fee_acc = '0' then 0 else joined.fee_acc::numeric end
                    + case when joined.fee_clr is null or joined.fee_clr = '0' then 0 else joined.fee_clr::numeric end
                    + case when joined.fee_misc is null or joined.fee_misc = '0' then 0 else joined.fee_misc::numeric end
        end as fees_value
    from joined
    offset 0
),

judged as (
    select
        typed.*,
        coalesce(
            typed.are_numbers
            and typed.quantity_value > 0
            and typed.quantity_value < 10000000000
            and (scale(typed.quantity_value) <= 8 or scale(trim_scale(typed.quantity_value)) <= 8)
            and typed.price_value > 0
            and typed.price_value < 10000000000
            and (scale(typed.price_value) <= 8 or scale(trim_scale(typed.price_value)) <= 8)
            and typed.fees_value > -10000000000
            and typed.fees_value < 10000000000
            and (scale(typed.fees_value) <= 8 or scale(trim_scale(typed.fees_value)) <= 8)
            and typed.account_id is not null
            and typed.account_code is null
            and typed.executed_at is not null
            and typed.moment_code is null
            and typed.symbol_id is not null
            and typed.symbol_code is null
            and typed.side in ('B', 'S', 'T', 'C')
            and typed.status is null
            and (typed.currency is null or typed.currency = 'USD'),
            false
        ) as is_good
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
    case
        when not judged.is_good
            then
                concat_ws(
                    ' ',
                    case when judged.date_time is null then 'date_form' else judged.moment_code end,
                    case when judged.account is null then 'account_name' else judged.account_code end,
                    case when judged.side is null or judged.side not in ('B', 'S', 'T', 'C') then 'side' end,
                    case when judged.symbol is null then 'symbol' else judged.symbol_code end,
                    case when not judged.are_numbers then 'numbers' end,
                    case
                        when
                            judged.quantity_value <= 0
                            or judged.quantity_value >= 10000000000
                            or scale(trim_scale(judged.quantity_value)) > 8
                            then 'quantity'
                    end,
                    case
                        when
                            judged.price_value <= 0
                            or judged.price_value >= 10000000000
                            or scale(trim_scale(judged.price_value)) > 8
                            then 'price'
                    end,
                    case
                        when
                            judged.fees_value <= -10000000000
                            or judged.fees_value >= 10000000000
                            or scale(trim_scale(judged.fees_value)) > 8
                            then 'fees'
                    end,
                    case when judged.status is not null then 'status' end,
                    case when judged.currency <> 'USD' then 'currency' end
                )
    end as codes,
    case
        when judged.is_good
            then
                hash_record_extended(
                    row(
                        judged.executed_at, judged.side, judged.quantity_value, judged.symbol_id, judged.price_value,
                        judged.fees_value, judged.order_id, judged.propreports_id, judged.fill_id
                    ),
                    0
                )
        else
            hash_record_extended(
                row(
                    judged.date_time, judged.side, judged.quantity, judged.symbol, judged.price, judged.fees_value,
                    judged.status, judged.currency, judged.order_id, judged.propreports_id, judged.fill_id
                ),
                1
            )
    end as content_hash
from judged;
