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
    "error": ("This cannot be shown", "无法显示"),
    "no_such_page": ("There is no such page.", "没有这个页面。"),
    "at_wechat_pay": ("How it stands at WeChat Pay", "微信支付侧状态"),
    "ask": ("Ask WeChat Pay now", "向微信支付查单"),
    "ask_help": (
        "A signed query with the merchant's own credentials, as make show makes. It changes nothing.",
        "用商户凭证发起一次带签名的查询（与 make show 相同），不改变任何数据。",
    ),
    "asked_at": ("asked at", "查询时间"),
    "no_proof": ("no verified answer", "没有验签通过的应答"),
    "sandbox": ("Sandbox", "沙箱"),
    "sandbox_is": (
        "The local WeChat Pay. What you change here happens to every order of this stack.",
        "本机的微信支付。此处的改动对本地环境的所有订单生效。",
    ),
    "hosts": ("Hosts", "域名"),
    "main_host": ("main", "主域名"),
    "backup_host": ("backup", "备用域名"),
    "up": ("up", "正常"),
    "down": ("down", "已关闭"),
    "take_down": ("Take down", "关闭"),
    "bring_up": ("Bring up", "恢复"),
    "latency_is": ("Each reply is {seconds} s late.", "每次应答延迟 {seconds} 秒。"),
    "skew_is": ("WeChat Pay's clock is {seconds} s ahead.", "微信支付时钟快 {seconds} 秒。"),
    "latency": ("Latency, seconds", "应答延迟（秒）"),
    "faults": ("Faults", "故障"),
    "nothing_armed": ("No fault is armed.", "未布置故障。"),
    "arm": ("Arm", "布置"),
    "clear": ("Clear", "清除"),
    "clear_all": ("Clear all", "全部清除"),
    "on_operation": ("On", "作用于"),
    "any_operation": ("any call", "任意调用"),
    "any_order": ("any order", "任意订单"),
    "times": ("Times", "次数"),
    "clocks": ("Clocks", "时钟"),
    "skip_time": ("Orders' clock, on by", "推进订单时钟"),
    "skew": ("WeChat Pay's clock, seconds ahead", "微信支付时钟偏差（秒）"),
    "moved_on": ("The orders' clock is {time} ahead.", "订单时钟已推进 {time}。"),
    "set": ("Set", "设置"),
    "keys": ("Keys", "密钥"),
    "serial": ("Merchant certificate serial", "商户证书序列号"),
    "mode": ("The merchant verifies with", "商户验签方式"),
    "mode_certificate": ("platform certificates", "平台证书"),
    "mode_both": ("both, migrating", "两者（迁移中）"),
    "mode_public_key": ("WeChat Pay's public key", "微信支付公钥"),
    "rotate_merchant": ("New merchant key", "更换商户证书"),
    "keep_old": ("the old one stays valid", "旧证书暂时有效"),
    "rotate_platform": ("New platform certificate", "新增平台证书"),
    "store_too": ("store the new secret in the stack", "同时更新栈中的商户凭证"),
    "stored": ("The stack has this secret.", "栈中的商户凭证与此一致。"),
    "not_stored": (
        "The stack still has another secret: its calls may be refused until the new one is stored. "
        "Functions read it again within 300 s, or at the first refusal.",
        "栈中仍是另一份商户凭证：更新前，其调用可能被拒绝。函数最长 300 秒或在首次被拒绝时重新读取。",
    ),
    "store": ("Store it now", "立即更新"),
    "purses": ("Shoppers' purses", "用户余额"),
    "no_purses": ("No purse has an end.", "未设余额上限。"),
    "balance": ("Yuan (empty: no end)", "元（留空：不限）"),
    "shopper": ("openid", "openid"),
    "open_order": ("Open an order", "创建订单"),
    "state": ("State", "状态"),
    "confirm": ("Confirm", "确认"),
    "pay": ("Pay", "支付"),
    "debits": ("Debits", "扣款"),
    "newest": ("the newest {shown} of {all}", "最新 {shown} 条，共 {all} 条"),
    "requests": ("Requests that arrived", "收到的请求"),
    "no_requests": ("Nothing has arrived yet.", "尚未收到请求。"),
    "nothing": ("None in the logs.", "日志中没有。"),
    "nothing_published": ("Nothing yet.", "暂无。"),
    "close_first": ("Close a door of the cabinet to see one.", "在售货柜页关门即可产生订单。"),
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
