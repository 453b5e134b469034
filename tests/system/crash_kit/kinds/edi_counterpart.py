"""A partner that sends orders as X12 files and takes acknowledgements."""
if __package__:
    from . import file_counterpart
else:
    import file_counterpart


def interchange(control, kind, group, lines):
    """One transaction in its envelope."""
    body = [f"ST*{kind}*0001", *lines, f"SE*{len(lines) + 2}*0001"]
    return "~\n".join([
        f"ISA*00*          *00*          *ZZ*PARTNER        *12*WAREHOUSE      *261128*0715*U*00401*{control:09}*0*P*>",
        f"GS*{group}*PARTNER*WAREHOUSE*20261128*0715*{control}*X*004010", *body, f"GE*1*{control}", f"IEA*1*{control:09}"]) + "~\n"


class Counterpart(file_counterpart.Counterpart):
    suffix = ".edi"

    def text(self, number):
        return interchange(number, "850", "PO", [f"BEG*00*SA*{self.name(number)}**20261128", "N1*ST*Shop 7*92*0007",
                                                 "PO1*1*10*EA*9.9**VP*ITEM-1", "CTT*1"])

    def effect(self, number):
        return f"answer/{self.name(number)}"
