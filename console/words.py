"""The console's words in English and 中文."""

from collections.abc import Mapping

from life import Standing

LANGUAGES = ("en", "zh")

WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Smart retail settlement", "智慧零售完结"),
    "orders": ("Orders", "订单"),
    "order": ("Order", "订单"),
    "needs": ("Needs someone", "待处理"),
    "local": ("local stack", "本地环境"),
    "read_only": (
        "Read-only: open the printed URL, with its token, to act.",
        "只读：打开终端打印的带令牌的地址方可操作。",
    ),
    "search": ("Search by number", "按订单号查找"),
    "filter": ("Filter", "筛选"),
    "all": ("All", "全部"),
    "running": ("Running", "处理中"),
    "settled": ("Settled", "已完结"),
    "overdue": ("Overdue", "扣款逾期"),
    "failed": ("Failed", "失败"),
    "stuck": ("Stuck", "中断"),
    "number": ("Number", "订单号"),
    "amount": ("Amount", "金额"),
    "stands": ("Where it stands", "状态"),
    "since": ("Since", "起始时间"),
    "evidence": ("Evidence", "依据"),
    "reason": ("Reason", "原因"),
    "no_orders": ("No orders yet.", "暂无订单。"),
    "none_match": ("No order matches.", "没有符合条件的订单。"),
    "newer": ("Newer", "上一页"),
    "older": ("Older", "下一页"),
    "shown": ("{first}-{last} of {all}", "第 {first}-{last} 条，共 {all} 条"),
    "by_outcome": ("Orders by outcome", "按结果统计"),
    "time_to_paid": ("Time to paid", "支付用时"),
    "sum_paid": ("Paid", "已支付"),
    "unread": ("{count} executions not read yet", "尚有 {count} 个执行未读取"),
    "problem": ("The stack cannot be read: {problem}", "无法读取：{problem}"),
    "no_such_order": ("Nothing knows this order", "没有这个订单"),
    "execution": ("Execution", "执行"),
    "asked": ("Asked", "请求"),
    "states": ("States", "状态"),
    "calls": ("Calls to WeChat Pay", "对微信支付的调用"),
    "wire": ("What went over the wire, as the sandbox saw it", "沙箱记录的请求与应答"),
    "time": ("At", "时间"),
    "call": ("Call", "调用"),
    "verified": ("signature verified", "验签通过"),
    "not_verified": ("NOT verified", "验签未通过"),
    "no_reply": ("no reply", "无应答"),
    "published": ("Published", "已发布事件"),
    "what_to_do": ("What to do", "处理建议"),
    "rule": ("The rule that decided", "判定规则"),
    "source": ("source", "出处"),
    "workflow": ("The workflow, and the path taken", "工作流与所经路径"),
    "under_way": ("under way", "进行中"),
    "nothing_stuck": ("Nothing needs anyone.", "没有待处理的执行。"),
    "do": ("Do", "处理"),
    "redrive": ("Redrive…", "重新驱动…"),
    "resubmit": ("Resubmit…", "重新提交…"),
    "confirm_redrive": (
        "This lets the execution go on in the state that failed, with the same event.",
        "将从失败的状态继续执行，事件不变。",
    ),
    "confirm_resubmit": (
        "This starts a new execution with the same event, once. WeChat Pay is asked first.",
        "将以相同事件启动一次新的执行，并先向微信支付查单。",
    ),
    "on_stack": ("On {target}", "目标：{target}"),
    "yes": ("Yes, do it", "确认执行"),
    "no": ("Back", "返回"),
    "cabinet": ("Cabinet", "售货柜"),
    "open_door": ("Open the door and take goods", "开门取货"),
    "close_door": ("Close the door", "关门"),
    "fault": ("A fault strikes", "遭遇故障"),
    "no_fault": ("none", "无"),
    "preset": ("An order of events/", "events/ 中的订单"),
    "send": ("Send Service Ended", "发送 Service Ended"),
    "twenty": ("Twenty shoppers at once", "二十位用户同时购物"),
    "ledger": ("WeChat Pay's ledger", "微信支付账本"),
    "ledger_agrees": ("agrees", "一致"),
    "ledger_differs": ("differs", "不一致"),
    "charged": ("charged", "已扣款"),
    "stands_otherwise": (
        "it no longer needs this: somebody, or the workflow, was there first",
        "该执行已不需要此操作：可能已由他人或工作流处理",
    ),
    "refused": ("Refused: {why}", "被拒绝：{why}"),
    "language": ("中文", "English"),
    "skip": ("To the content", "跳至正文"),
}

STANDINGS: Mapping[Standing, tuple[str, str]] = {
    Standing.UNKNOWN: ("no such order", "没有这个订单"),
    Standing.COMPLETING: ("being completed", "正在完结"),
    Standing.ANNOUNCING: ("being announced", "待发布事件"),
    Standing.AWAITING_PAYMENT: ("accepted, not paid", "已完结，待扣款"),
    Standing.ACCEPTED: ("accepted", "已完结"),
    Standing.PAID: ("paid", "已支付"),
    Standing.OVERDUE: ("payment overdue", "扣款逾期"),
    Standing.CANCELLED: ("cancelled", "已取消"),
    Standing.FAILED: ("failed", "失败"),
    Standing.INTERRUPTED: ("needs someone", "待人工处理"),
}


class Words:
    """The words of one language. `words("orders")`, `words("shown", first=1, last=2, all=3)`."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else LANGUAGES[0]
        self._index = LANGUAGES.index(self.language)
        self.html_lang = ("en", "zh-CN")[self._index]
        self.other = LANGUAGES[1 - self._index]

    def __call__(self, name: str, **values: object) -> str:
        """Return the words of this name, with values put in."""
        return WORDS[name][self._index].format(**values)

    def standing(self, standing: Standing) -> str:
        """Return where an order stands."""
        return STANDINGS[standing][self._index]

    def either(self, english: str, chinese: str) -> str:
        """Return the one of two texts that is in this language."""
        return (english, chinese)[self._index]


def preferred(accept_language: str) -> str:
    """Return the language that a browser asks for first among ours (RFC 9110, 12.5.4)."""
    best, weight = LANGUAGES[0], 0.0
    for part in accept_language.split(","):
        tag, _, q = part.strip().partition(";")
        try:
            found = float(q.strip().removeprefix("q=")) if q else 1.0
        except ValueError:
            found = 0.0
        name = tag.split("-")[0].casefold()
        if name in LANGUAGES and found > weight:
            best, weight = name, found
    return best
