"""A partner that sends orders as X12 files and takes acknowledgements."""
import file_counterpart


class Counterpart(file_counterpart.Counterpart):
    suffix = ".edi"

    def text(self, number):
        control, lines = f"{number:09}", [
            f"BEG*00*SA*{self.name(number)}**20261128", "N1*ST*Shop 7*92*0007", "PO1*1*10*EA*9.9**VP*ITEM-1", "CTT*1"]
        body = ["ST*850*0001", *lines, f"SE*{len(lines) + 2}*0001"]
        return "~\n".join([
            f"ISA*00*          *00*          *ZZ*PARTNER        *12*WAREHOUSE      *261128*0715*U*00401*{control}*0*P*>",
            f"GS*PO*PARTNER*WAREHOUSE*20261128*0715*{number}*X*004010", *body, f"GE*1*{number}", f"IEA*1*{control}"]) + "~\n"

    def effect(self, number):
        return f"answer/{self.name(number)}"
