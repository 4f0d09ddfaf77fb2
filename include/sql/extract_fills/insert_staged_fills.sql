-- Casts the records that came as text; one with an amount that is no number keeps its raw amounts instead.
-- Grain: one row per record. Reads: staged_texts. Writes: staged_fills. Binds: -. Money: unchecked amounts.
-- Rerun: would stage them twice.
-- "offset 0" keeps the planner from judging a record once for every amount.
insert into staged_fills (
    file_number,
    line_number,
    date_time,
    account,
    side,
    quantity,
    symbol,
    price,
    route,
    executing_broker,
    contra,
    liquidity,
    fee_comm,
    fee_ecn,
    fee_sec,
    fee_orf,
    fee_taf,
    fee_ftt,
    fee_nfa,
    fee_cat,
    fee_nscc,
    fee_acc,
    fee_clr,
    fee_misc,
    order_id,
    fill_id,
    status,
    currency,
    isin,
    cusip,
    propreports_id,
    numbers
)
with judged as (
    select
        staged_texts.*,
        (staged_texts.quantity is null or pg_input_is_valid(staged_texts.quantity, 'numeric'))
        and (staged_texts.price is null or pg_input_is_valid(staged_texts.price, 'numeric'))
        and (staged_texts.fee_comm is null or pg_input_is_valid(staged_texts.fee_comm, 'numeric'))
        and (staged_texts.fee_ecn is null or pg_input_is_valid(staged_texts.fee_ecn, 'numeric'))
        and (staged_texts.fee_sec is null or pg_input_is_valid(staged_texts.fee_sec, 'numeric'))
        and (staged_texts.fee_orf is null or pg_input_is_valid(staged_texts.fee_orf, 'numeric'))
        and (staged_texts.fee_taf is null or pg_input_is_valid(staged_texts.fee_taf, 'numeric'))
        and (staged_texts.fee_ftt is null or pg_input_is_valid(staged_texts.fee_ftt, 'numeric'))
        and (staged_texts.fee_nfa is null or pg_input_is_valid(staged_texts.fee_nfa, 'numeric'))
        and (staged_texts.fee_cat is null or pg_input_is_valid(staged_texts.fee_cat, 'numeric'))
        and (staged_texts.fee_nscc is null or pg_input_is_valid(staged_texts.fee_nscc, 'numeric'))
        and (staged_texts.fee_acc is null or pg_input_is_valid(staged_texts.fee_acc, 'numeric'))
        and (staged_texts.fee_clr is null or pg_input_is_valid(staged_texts.fee_clr, 'numeric'))
        and (staged_texts.fee_misc is null or pg_input_is_valid(staged_texts.fee_misc, 'numeric')) as are_numbers
    from staged_texts
    offset 0 -- noqa: AM09
)

select
    judged.file_number,
    judged.line_number,
    judged.date_time,
    judged.account,
    judged.side,
    case when judged.are_numbers then judged.quantity::numeric end as quantity,
    judged.symbol,
    case when judged.are_numbers then judged.price::numeric end as price,
    judged.route,
    judged.executing_broker,
    judged.contra,
    judged.liquidity,
    case when judged.are_numbers then judged.fee_comm::numeric end as fee_comm,
    case when judged.are_numbers then judged.fee_ecn::numeric end as fee_ecn,
    case when judged.are_numbers then judged.fee_sec::numeric end as fee_sec,
    case when judged.are_numbers then judged.fee_orf::numeric end as fee_orf,
    case when judged.are_numbers then judged.fee_taf::numeric end as fee_taf,
    case when judged.are_numbers then judged.fee_ftt::numeric end as fee_ftt,
    case when judged.are_numbers then judged.fee_nfa::numeric end as fee_nfa,
    case when judged.are_numbers then judged.fee_cat::numeric end as fee_cat,
    case when judged.are_numbers then judged.fee_nscc::numeric end as fee_nscc,
    case when judged.are_numbers then judged.fee_acc::numeric end as fee_acc,
    case when judged.are_numbers then judged.fee_clr::numeric end as fee_clr,
    case when judged.are_numbers then judged.fee_misc::numeric end as fee_misc,
    judged.order_id,
    judged.fill_id,
    judged.status,
    judged.currency,
    judged.isin,
    judged.cusip,
    judged.propreports_id,
    case
        when not judged.are_numbers
            then concat_ws(
                e'\x1f',
                judged.quantity, judged.price, judged.fee_comm, judged.fee_ecn, judged.fee_sec,
                judged.fee_orf, judged.fee_taf, judged.fee_ftt, judged.fee_nfa, judged.fee_cat,
                judged.fee_nscc, judged.fee_acc, judged.fee_clr, judged.fee_misc
            )
    end as numbers
from judged;
